"""Every setting: what it is, where it comes from, what it may be."""
