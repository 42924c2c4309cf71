"""How the shipped encoder was made: data sets, teachers, training, evaluation, export."""
