"""`python -m api.cli`: the `stockade` command without its script."""

from api.cli.main import main

main()
