#!/usr/bin/env python3
"""Makes the tiny ONNX files of the import tests, without descriptions: pip install onnx; ./import.py

One of each family that people have: what a test expects of it is in tests/it/import.rs."""

from pathlib import Path

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, save

HERE = Path(__file__).parent / "bare"
FREE = [1, 3, "height", "width"]
PIXELS = [1, "height", "width", 3]
F32, F16, U8, I64 = TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.UINT8, TensorProto.INT64


class Network:
    """A graph, written operator by operator."""

    def __init__(self, name):
        self.name, self.nodes, self.constants, self.ports = name, [], [], ([], [])
        self.kind = F32

    def takes(self, name, shape, kind=F32):
        self.ports[0].append(helper.make_tensor_value_info(name, kind, shape))
        return name

    def const(self, values, dtype=None):
        name = f"c{len(self.constants)}"
        dtype = dtype or (np.float16 if self.kind == F16 else np.float32)
        self.constants.append(numpy_helper.from_array(np.array(values, dtype), name))
        return name

    def op(self, kind, *inputs, **attributes):
        name = f"t{len(self.nodes)}"
        inputs = [i if isinstance(i, str) else self.const(i) for i in inputs]
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def gives(self, value, name, shape, kind=F32):
        self.nodes.append(helper.make_node("Identity", [value], [name]))
        self.ports[1].append(helper.make_tensor_value_info(name, kind, shape))

    def write(self, opset=17, check=True, extra_opsets=()):
        graph = helper.make_graph(self.nodes, self.name, *self.ports, self.constants)
        opsets = [helper.make_opsetid("", opset), *extra_opsets]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
        if check:
            checker.check_model(model, full_check=True)
        HERE.mkdir(exist_ok=True)
        save(model, HERE / f"{self.name}.onnx")
        return model


def curve(n, x, middle, gain):
    """More contrast, as a drawing has."""
    return n.op("Mul", n.op("Sub", x, middle), gain)


def smooth(n, x):
    """Flatter areas: the mean of a square of five pixels."""
    kernel = np.zeros((3, 3, 5, 5))
    for at in range(3):
        kernel[at, at] = 1 / 25
    return n.op("Conv", x, kernel, pads=[2, 2, 2, 2])


def picture(name, kind=F32, shape=FREE):
    n = Network(name)
    n.kind = kind
    return n, n.takes("in", shape, kind)


# Values from 0 to 1; nothing in the graph says so but the last operator.
n, x = picture("unit")
n.gives(n.op("Sigmoid", curve(n, smooth(n, x), 0.5, 6.0)), "out", FREE)
n.write()

# Values from -1 to 1, channels last.
n, x = picture("signed", shape=PIXELS)
planes = n.op("Transpose", x, perm=[0, 3, 1, 2])
y = n.op("Tanh", n.op("Mul", smooth(n, planes), 1.6))
n.gives(n.op("Transpose", y, perm=[0, 2, 3, 1]), "out", PIXELS)
n.write()

# Blue first, 0 to 255 less ImageNet's mean inside, as the networks from Caffe.
n, x = picture("caffe")
mean = np.array([103.939, 116.779, 123.68]).reshape(1, 3, 1, 1)
y = n.op("Add", smooth(n, n.op("Sub", x, mean)), mean)
n.gives(n.op("Clip", y, 0.0, 255.0), "out", FREE)
n.write()

# Takes blue first, gives red first.
n, x = picture("swaps")
y = n.op("Gather", n.op("Sigmoid", curve(n, smooth(n, x), 0.5, 6.0)), n.const([2, 1, 0], np.int64), axis=1)
n.gives(y, "out", FREE)
n.write()

# float16 from end to end.
n, x = picture("half", F16)
n.gives(n.op("Sigmoid", curve(n, smooth(n, x), 0.5, 6.0)), "out", FREE, F16)
n.write()

# Bytes in and out, channels last.
n, x = picture("bytes", U8, PIXELS)
y = n.op("Clip", curve(n, n.op("Cast", x, to=F32), 40.0, 1.3), 0.0, 255.0)
n.gives(n.op("Cast", y, to=U8), "out", PIXELS, U8)
n.write()

# Multiples of 32 alone: half of it comes from a picture of a 32nd of the size.
n, x = picture("step")
small = n.op("AveragePool", x, kernel_shape=[32, 32], strides=[32, 32])
large = n.op("Resize", small, "", [1.0, 1.0, 32.0, 32.0], mode="nearest")
y = n.op("Add", n.op("Mul", large, 0.3), n.op("Mul", x, 0.7))
n.gives(n.op("Clip", y, 0.0, 1.0), "out", FREE)
n.write()

# One size alone, the same everywhere in the picture.
n, x = picture("fixed", shape=[1, 3, 64, 64])
n.gives(n.op("Sigmoid", curve(n, smooth(n, x), 0.5, 6.0)), "out", [1, 3, 64, 64])
n.write()

# One size alone, and what it draws depends on the whole picture.
n, x = picture("whole", shape=[1, 3, 64, 64])
y = n.op("InstanceNormalization", x, np.ones(3), np.zeros(3))
n.gives(n.op("Sigmoid", n.op("Mul", smooth(n, y), 1.5)), "out", [1, 3, 64, 64])
n.write()

# Four styles by weights, each a tint.
n, x = picture("styles")
tints = n.op("MatMul", n.takes("which", [4]), [[1, 0.6, 0.5], [0.6, 1, 0.6], [0.5, 0.6, 1], [0.9, 0.9, 0.2]])
y = n.op("Mul", n.op("Sigmoid", curve(n, smooth(n, x), 0.5, 6.0)), n.op("Reshape", tints, n.const([1, 3, 1, 1], np.int64)))
n.gives(y, "out", FREE)
n.write()

# Three styles by number.
n, x = picture("numbered")
tints = n.op("Gather", [[1, 0.6, 0.5], [0.6, 1, 0.6], [0.5, 0.6, 1]], n.takes("style_id", [1], I64), axis=0)
y = n.op("Mul", n.op("Sigmoid", curve(n, smooth(n, x), 0.5, 6.0)), n.op("Reshape", tints, n.const([1, 3, 1, 1], np.int64)))
n.gives(y, "out", FREE)
n.write()

# How strong: 0 gives the picture.
n, x = picture("strength")
alpha = n.takes("alpha", [1])
drawn = n.op("Sigmoid", curve(n, smooth(n, x), 0.5, 6.0))
y = n.op("Add", n.op("Mul", drawn, alpha), n.op("Mul", x, n.op("Sub", 1.0, alpha)))
n.gives(n.op("Clip", y, 0.0, 1.0), "out", FREE)
n.write()

# The same, but the middle is not half: only the network itself knows what half as strong is.
n, x = picture("strength-squared")
alpha = n.op("Pow", n.takes("alpha", [1]), 2.0)
drawn = n.op("Sigmoid", curve(n, smooth(n, x), 0.5, 6.0))
y = n.op("Add", n.op("Mul", drawn, alpha), n.op("Mul", x, n.op("Sub", 1.0, alpha)))
n.gives(n.op("Clip", y, 0.0, 1.0), "out", FREE)
n.write()

# The other way round: how much of the picture is kept.
n, x = picture("keep")
keep = n.takes("keep", [])
drawn = n.op("Sigmoid", curve(n, smooth(n, x), 0.5, 6.0))
y = n.op("Add", n.op("Mul", x, keep), n.op("Mul", drawn, n.op("Sub", 1.0, keep)))
n.gives(n.op("Clip", y, 0.0, 1.0), "out", FREE)
n.write()

# A number that is no strength: 0 gives another drawing.
n, x = picture("contrast")
gain = n.op("Add", n.op("Mul", n.takes("gain", [1]), 5.0), 3.0)
n.gives(n.op("Sigmoid", n.op("Mul", n.op("Sub", smooth(n, x), 0.5), gain)), "out", FREE)
n.write()

# A picture in the style gives its mean colour.
n = Network("art")
style, x = n.takes("style", FREE), n.takes("content", FREE)
tint = n.op("ReduceMean", style, axes=[2, 3], keepdims=1)
y = n.op("Mul", n.op("Sigmoid", curve(n, smooth(n, x), 0.5, 6.0)), n.op("Add", tint, 0.4))
n.gives(n.op("Clip", y, 0.0, 1.0), "out", FREE)
n.write()

# Two networks: one gives a picture's mean colours as nine numbers, the other draws with them.
n = Network("art-numbers")
mean = n.op("ReduceMean", n.takes("style", FREE), axes=[2, 3], keepdims=1)
thrice = n.op("Concat", mean, mean, mean, axis=1)
n.gives(n.op("Reshape", thrice, n.const([1, 1, 1, 9], np.int64)), "style_features", [1, 1, 1, 9])
n.write()
n, x = picture("by-numbers")
first = n.op("Slice", n.takes("style_features", ["count", 1, 1, 9]), *(n.const([v], np.int64) for v in (0, 3, 3)))
tint = n.op("Reshape", first, n.const([1, 3, 1, 1], np.int64))
y = n.op("Mul", n.op("Sigmoid", curve(n, smooth(n, x), 0.5, 6.0)), n.op("Add", tint, 0.4))
n.gives(n.op("Clip", y, 0.0, 1.0), "out", FREE)
n.write()

# Four times as large.
n, x = picture("larger")
y = n.op("Resize", n.op("Sigmoid", curve(n, x, 0.5, 6.0)), "", [1.0, 1.0, 4.0, 4.0], mode="linear")
n.gives(y, "out", [1, 3, "oh", "ow"])
n.write()

# The matte comes first; neither name says anything.
n, x = picture("matte")
y = n.op("Sigmoid", curve(n, smooth(n, x), 0.5, 6.0))
light = n.op("ReduceMean", n.op("AveragePool", x, kernel_shape=[9, 9], pads=[4, 4, 4, 4]), axes=[1], keepdims=1)
n.gives(n.op("Sigmoid", curve(n, light, 0.4, 20.0)), "a", [1, 1, "height", "width"])
n.gives(y, "b", FREE)
n.write()

# Declared for any size, but its inside knows one alone: exported without dynamic axes inside.
for side in (224, 256):
    n, x = picture(f"only-{side}")
    y = n.op("Reshape", smooth(n, x), n.const([1, 3, side * side], np.int64))
    y = n.op("Reshape", curve(n, y, 0.5, 6.0), n.const([1, 3, side, side], np.int64))
    n.gives(n.op("Sigmoid", y), "out", FREE)
    n.write()

# Always the same size, whatever goes in.
n, x = picture("always-256")
y = n.op("Resize", n.op("Sigmoid", curve(n, smooth(n, x), 0.5, 6.0)), "", "", n.const([1, 3, 256, 256], np.int64), mode="linear")
n.gives(y, "out", FREE)
n.write()

# 8 bits from end to end, as a quantised copy of Johnson's: first and last operators lie between others.
n, x = picture("all-in-8-bits")
def quantised(value, scale, zero, kind=np.uint8):
    scale, zero = n.const(scale), n.const(zero, kind)
    return n.op("DequantizeLinear", n.op("QuantizeLinear", value, scale, zero), scale, zero)
def constant(value, scale):
    return n.op("DequantizeLinear", n.const(np.uint8(round(value / scale)), np.uint8), n.const(scale), n.const(0, np.uint8))
x = quantised(x, 1.0, 0)
y = quantised(n.op("Tanh", quantised(curve(n, smooth(n, x), 127.5, 0.012), 0.02, 128)), 1 / 127.5, 128)
y = quantised(n.op("Mul", y, constant(150.0, 150 / 255)), 300 / 255, 128)
n.gives(quantised(n.op("Add", y, constant(127.5, 0.5)), 300 / 255, 19), "out", FREE)
n.write()

# Red, green, blue and how opaque: planes, and channels last.
for name, last in (("opaque", False), ("opaque-last", True)):
    n, x = picture(name, shape=PIXELS if last else FREE)
    x = n.op("Transpose", x, perm=[0, 3, 1, 2]) if last else x
    y = n.op("Sigmoid", curve(n, smooth(n, x), 0.5, 6.0))
    light = n.op("ReduceMean", n.op("AveragePool", x, kernel_shape=[9, 9], pads=[4, 4, 4, 4]), axes=[1], keepdims=1)
    y = n.op("Concat", y, n.op("Sigmoid", curve(n, light, 0.4, 20.0)), axis=1)
    y = n.op("Transpose", y, perm=[0, 2, 3, 1]) if last else y
    n.gives(y, "out", [1, "height", "width", 4] if last else [1, 4, "height", "width"])
    n.write()

# A drawing with a pencil: dark lines where the picture has edges, white elsewhere.
n, x = picture("pencil")
light = n.op("ReduceMean", x, axes=[1], keepdims=1)
sobel = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
steep = n.op("Conv", light, np.stack([sobel, sobel.T])[:, None], pads=[1, 1, 1, 1])
y = n.op("Sub", 1.0, n.op("Mul", n.op("ReduceL2", steep, axes=[1], keepdims=1), 0.5))
n.gives(n.op("Relu", y), "out", [1, 1, "height", "width"])
n.write()

# A negative, on reddish paper.
n, x = picture("negative")
y = n.op("Sigmoid", curve(n, smooth(n, x), 0.5, -6.0))
n.gives(n.op("Mul", y, np.array([1.0, 0.8, 0.5]).reshape(1, 3, 1, 1)), "out", FREE)
n.write()

# Any range of values draws the same.
n, x = picture("any-range")
y = n.op("InstanceNormalization", x, np.ones(3), np.zeros(3))
n.gives(n.op("Mul", n.op("Tanh", y), 2.0), "out", FREE)
n.write()

# Weights in 8 bits.
n, x = picture("quantised")
kernel = np.zeros((3, 3, 3, 3), np.int8)
for at in range(3):
    kernel[at, at] = 14
weights = n.op("DequantizeLinear", n.const(kernel, np.int8), n.const(1 / 126), n.const(0, np.int8))
n.gives(n.op("Clip", n.op("Conv", x, weights, pads=[1, 1, 1, 1]), 0.0, 1.0), "out", FREE)
n.write()

# Weights in a file beside it.
n, x = picture("external")
n.gives(n.op("Sigmoid", curve(n, smooth(n, x), 0.5, 6.0)), "out", FREE)
model = n.write()
save(model, HERE / "external.onnx", save_as_external_data=True, location="external.bin", size_threshold=64)


def refused():
    # A mask.
    n, x = picture("mask")
    light = n.op("ReduceMean", n.op("AveragePool", x, kernel_shape=[9, 9], pads=[4, 4, 4, 4]), axes=[1], keepdims=1)
    n.gives(n.op("Sigmoid", curve(n, light, 0.4, 60.0)), "out", [1, 1, "height", "width"])
    n.write()

    # Parts of a picture, one channel each.
    n, x = picture("parts")
    n.gives(n.op("Conv", x, np.full((19, 3, 1, 1), 0.1)), "out", [1, 19, "height", "width"])
    n.write()

    # What is in the picture.
    n, x = picture("names")
    n.gives(n.op("ReduceMean", x, axes=[2, 3], keepdims=0), "logits", [1, 3])
    n.write()

    # Pictures, but four at once, or of a type that is not fed.
    for name, kind, batch in [("four-at-once", F32, 4), ("whole-numbers", TensorProto.INT32, 1), ("double", TensorProto.DOUBLE, 1)]:
        n, x = picture(name, kind, [batch, *FREE[1:]])
        n.gives(n.op("Identity", x), "out", [batch, *FREE[1:]], kind)
        n.write()

    # No picture goes in.
    n = Network("numbers")
    n.gives(n.op("Mul", n.takes("z", [1, 128]), 2.0), "out", [1, 128])
    n.write()

    # Half the size.
    n, x = picture("smaller")
    n.gives(n.op("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2]), "out", [1, 3, "oh", "ow"])
    n.write()

    # Not a number.
    n, x = picture("nan")
    n.gives(n.op("Sqrt", n.op("Sub", n.op("Abs", n.op("Mul", x, 0.0)), 1.0)), "out", FREE)
    n.write()

    # The same whatever goes in.
    n, x = picture("flat")
    n.gives(n.op("Add", n.op("Mul", x, 0.0), 0.5), "out", FREE)
    n.write()

    # An operator of somebody's own.
    n, x = picture("operator")
    n.nodes.append(helper.make_node("Sparkle", [x], ["t0"], domain="com.example"))
    n.gives("t0", "out", FREE)
    n.write(check=False, extra_opsets=[helper.make_opsetid("com.example", 1)])

    # An operator of somebody's own, whose set is not even named.
    n, x = picture("unnamed-set")
    n.nodes.append(helper.make_node("FusedToon", [x], ["t0"], domain="com.example"))
    n.gives("t0", "out", FREE)
    n.write(check=False)

    # The drawing before this one, and a second picture of which nothing is known.
    for name, other in [("previous", "previous"), ("second", "in2")]:
        n, x = picture(name)
        y = n.op("Add", n.op("Mul", smooth(n, x), 0.7), n.op("Mul", n.takes(other, FREE), 0.3))
        n.gives(n.op("Clip", y, 0.0, 1.0), "out", FREE)
        n.write()

    # Four parts of a picture, a channel each.
    n, x = picture("four-parts")
    light = n.op("ReduceMean", smooth(n, x), axes=[1], keepdims=1)
    parts = [n.op("Mul", n.op("Abs", n.op("Sub", light, middle)), -30.0) for middle in (0.2, 0.4, 0.6, 0.8)]
    parts = n.op("Concat", *parts, axis=1)
    n.gives(n.op("Softmax", parts, axis=1), "out", [1, 4, "height", "width"])
    n.write()

    # 12 GB for any picture.
    n, x = picture("hungry")
    much = n.op("Expand", n.op("ReduceMean", x, axes=[1, 2, 3], keepdims=0), n.const([3_000_000_000], np.int64))
    n.gives(n.op("Mul", x, n.op("ReduceMax", much, keepdims=0)), "out", FREE)
    n.write(check=False)

    # An operator set of the future.
    n, x = picture("future")
    n.gives(n.op("Relu", x), "out", FREE)
    n.write(opset=99, check=False)

    # Loops: one without an end, one that is long, one that is long and yet draws.
    for name, times in [("endless", 2**62), ("slow", 600_000), ("heavy", 40_000)]:
        n, x = picture(name)
        body = helper.make_graph(
            [
                helper.make_node("Identity", ["go"], ["go_on"]),
                helper.make_node("Add", ["state", "tiny"], ["next"]),
            ],
            "body",
            [
                helper.make_tensor_value_info("at", I64, []),
                helper.make_tensor_value_info("go", TensorProto.BOOL, []),
                helper.make_tensor_value_info("state", F32, None),
            ],
            [
                helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
                helper.make_tensor_value_info("next", F32, None),
            ],
            [numpy_helper.from_array(np.array(1e-9, np.float32), "tiny")],
        )
        y = n.op("Loop", n.const(times, np.int64), n.const(True, bool), x, body=body)
        n.gives(y, "out", FREE)
        n.write(check=False)

    # An input nobody can guess.
    n, x = picture("question")
    n.gives(n.op("Add", x, n.op("Cast", n.takes("flag", [1], TensorProto.BOOL), to=F32)), "out", FREE)
    n.write()

    # Features that another network computes.
    n, x = picture("features")
    y = n.op("Mul", x, n.op("ReduceMean", n.takes("style_features", [1, 1, 1, 100]), keepdims=1))
    n.gives(y, "out", FREE)
    n.write()


refused()
