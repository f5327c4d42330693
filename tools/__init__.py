"""What keeps the generated pages, the READMEs and the demo true."""
