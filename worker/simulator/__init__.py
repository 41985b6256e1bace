"""A server that behaves as the documented batch API does, misbehaves when told to, and remembers the truth.

options   what it is told to be: population, unknowns of the API, pace, faults
scripts   faults written as text
given     options as a command line gives them
seeding   the batches it starts with
world     the batches, what may happen to them, and the truth
view      a batch as the API shows it
filters   the grammar of ``filter=``
answers   status and body of an answer; the shapes an error body may have
api       what each endpoint answers (pure)
faults    the kinds of fault, and which request gets which (pure)
forging   the answer that a fault gives in place of the true one (pure)
wire      how an answer is sent, cut short, or not sent at all
journal   every request seen, in a compact form, and the rates it shows
limiter   the server's own rate limit (pure)
control   the endpoints a test asks: truth, requests, ids
server    one request from arrival to answer
running   start and stop: in a test's own loop, or in a thread
"""
