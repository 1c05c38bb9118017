"""One file a command: each parses, calls one function of the tools, and shows the result."""
