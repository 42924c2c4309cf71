"""Sound becomes numbers: decoding, the front-end, the encoder, and `analyse`, the one entry."""
