"""What is deployed, looked at row by row: is it as it must be, and if not, which command mends it?"""
