"""The console in a browser. A package, so that its stack ends with the last test of this folder."""
