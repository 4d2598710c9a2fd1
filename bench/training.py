"""PyTorch's training step of the network of bench/training.ts with ReLU, on one thread, for `npm run bench`.

The first line says what is there: {"versions", "absent"}. Each line of stdin then asks {"batch"}, a step on random
images, and each line of stdout answers with its milliseconds. Debian's python3-torch needs a fast BLAS
(apt-get install libopenblas0-pthread): with the reference BLAS a step takes 25 times as long.
"""
import json
import os
import sys
import time

os.environ["OPENBLAS_NUM_THREADS"] = "1"
versions, absent = {}, {}
try:
    import torch

    versions["torch"] = torch.__version__
    torch.set_num_threads(1)
except Exception as error:
    absent["PyTorch"] = str(error)
print(json.dumps({"versions": versions, "absent": absent}), flush=True)

trainings = {}


def training(batch):
    torch.manual_seed(1)
    model = torch.nn.Sequential(
        torch.nn.Linear(784, 512),
        torch.nn.ReLU(),
        torch.nn.Linear(512, 512),
        torch.nn.ReLU(),
        torch.nn.Linear(512, 10),
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, nesterov=True)
    x, labels = torch.rand(batch, 784), torch.randint(0, 10, (batch,))

    def step():
        start = time.perf_counter()
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(x), labels)
        loss.backward()
        optimizer.step()
        loss.item()
        return 1000 * (time.perf_counter() - start)

    return step


for line in sys.stdin:
    batch = json.loads(line)["batch"]
    if batch not in trainings:
        trainings[batch] = training(batch)
    print(json.dumps(trainings[batch]()), flush=True)
