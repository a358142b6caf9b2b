"""What feeds a store: a watched folder, and queries on a schedule."""
