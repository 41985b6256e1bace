"""The real program against the real simulator, over real sockets."""
