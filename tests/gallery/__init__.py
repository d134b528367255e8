"""A gallery of servers to try the suite on: many correct and all different, many with exactly one defect."""
