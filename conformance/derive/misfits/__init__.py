"""Where a page contradicts itself: in its rows, its samples, its sentences."""
