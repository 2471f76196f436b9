"""Workers die, a hundred times under load: what is told, what is lost, what stays behind."""
