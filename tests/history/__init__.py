"""Tests of the history: real repositories, made fast, and read as an audit reads them."""
