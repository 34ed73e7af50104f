"""The event feed: what changed, by cursor or as a registered follower, and how long it is kept."""
