"""Payloads in, torrent requests out: ``parse.parse`` reads, ``rules.apply`` drops what is not ours."""
