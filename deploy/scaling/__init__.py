"""How many streams do how many machines hold? A discrete-event simulation with measured service times.

`python -m deploy.scaling` prints the tables of deploy/SCALING.md.
"""
