"""s3torrent: put a file into an S3 bucket, and a moment later its .torrent lies beside it."""

__version__ = "0.1.0"
