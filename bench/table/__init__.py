"""The table of micro-benchmarks in bench/README.md: stages, the core, and what limits them, measured in one run."""
