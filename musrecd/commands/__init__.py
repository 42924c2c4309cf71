"""What the commands of `musrecd` do; `musrecd.cli` only reads their options."""
