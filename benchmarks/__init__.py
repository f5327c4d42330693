"""Speed and accuracy, side by side with other tools in one run: `make bench`."""
