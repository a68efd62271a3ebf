"""A page of results that can be read, looked at and listened to."""
