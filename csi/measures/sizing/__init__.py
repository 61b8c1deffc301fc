"""How many people a study needs, what it would find with those it has, and how small an effect it could see."""
