"""What HTML pages are made of that need no network and no script: markup, tables, figures, maps, their style."""
