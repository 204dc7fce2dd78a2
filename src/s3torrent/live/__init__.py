"""A page of the work in progress, for whoever sits at this machine."""
