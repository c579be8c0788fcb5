"""Classes that few rows show, and classes that none do: error of labels, and accuracy of clusters."""
