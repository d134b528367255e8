"""Load with an oracle: the walk as users of Locust, whose every answer is judged.

From the outside in:

- `running` starts the processes that a load takes, and makes one result of theirs;
- `engine` is such a process: Locust, on its own, as master, or as worker;
- `users` are what Locust spawns: each walks by itself, and in turns with a party on orders that they share;
- `commons` is such a shared order: calls on it overlap, a few at a time, and are judged together;
- `carrying` writes what was seen as plain data, for the way to the master.

Locust patches the standard library for gevent, so `engine` and `users` are imported in processes of their own alone.
"""
