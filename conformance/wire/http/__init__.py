"""HTTP/1.1: connections, requests as exact bytes, replies with every oddity noted."""
