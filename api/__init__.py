"""The doors to the engine: HTTP and command line. They see only its public face."""
