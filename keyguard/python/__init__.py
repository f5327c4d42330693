"""Python read with LibCST: source text in, plain facts for the checks out; nothing is ever run or imported."""
