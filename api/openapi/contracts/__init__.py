"""What each route promises, with an example of every answer."""
