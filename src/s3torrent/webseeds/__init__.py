"""Web seeds asked as a client would ask them (BEP 19)."""
