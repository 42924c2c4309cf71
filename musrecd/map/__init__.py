"""The library in two dimensions: where tracks lie by their sound, as a picture and as a page."""
