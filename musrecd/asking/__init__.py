"""Questions about the library: what a person writes becomes rules, and what is found becomes words."""
