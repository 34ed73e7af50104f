"""Ways to break the protocol, each by a change of the library's text: what the simulation must notice."""
MUTANTS = {}
