"""A gallery of servers to try the suite on: many correct and all different, many with exactly one defect.

It was written from the API reference by itself and shares no code with the suite: nothing in it imports the suite, and
nothing in the suite may import it. Rooms:

- `server`, `wire`, `books`, `fields`: the plain correct server, standard library alone;
- `correct`, `correct_wire`: correct servers that use the freedoms of the contract;
- `warned`: servers that keep every MUST and leave one recommendation;
- `defective` and `lies_*`: servers with one defect each, labelled with the rules that it breaks and when it shows;
- `catalogue`, `serving`, `__main__`: how to find and run one (`python -m tests.gallery --list`);
- `visitor`, `tour`, `races`, `test_*`: the proof that the correct ones hold and that every defect shows.
"""
