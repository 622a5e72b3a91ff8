"""What does not depend on the lane: set-up, errors, checked edits. Run once, whatever the lanes."""
