"""What became of an item, as plain values: made of a file by `explain`, of a running app for its inspector."""
