#!/usr/bin/env python3
"""Makes the tiny models of the tests, each a folder with model.toml: pip install onnx; ./make.py

Each does one thing a test can compute by itself."""

import hashlib
from pathlib import Path

from onnx import TensorProto, checker, helper, save

HERE = Path(__file__).parent
FREE = [1, 3, "height", "width"]


def value(name, shape):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def constant(name, values, shape=None):
    return helper.make_tensor(name, TensorProto.FLOAT, [len(values)] if shape is None else shape, values)


def node(kind, inputs, output, **attributes):
    return helper.make_node(kind, inputs, [output], **attributes)


def make(name, nodes, inputs, outputs, constants=(), styles=("plain",), extra="", image="", picture=""):
    """Writes NAME/NAME.onnx and its description."""
    graph = helper.make_graph(nodes, name, inputs, outputs, list(constants))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    checker.check_model(model, full_check=True)
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.onnx"
    save(model, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    text = f"""id = "{name}"
name = "{name}"
kind = "generator"
file = "{name}.onnx"
sha256 = "{digest}"
licence = "MIT OR Apache-2.0"
size_multiple = 16

[image]
name = "image"
{image}
[picture]
name = "picture"
{picture}{extra}"""
    for channel, style in enumerate(styles):
        text += f'\n[[styles]]\nid = "{name}-{style}"\nchannel = {channel}\nname.en = "{style}"\n'
    (folder / "model.toml").write_text(text)


IMAGE, PICTURE = [value("image", FREE)], [value("picture", FREE)]
ONE = constant("one", [1.0], [])

# 1 - image, any size.
make("invert", [node("Sub", ["one", "image"], "picture")], IMAGE, PICTURE, [ONE])

# The same for blue-green-red pixels from -1 to 1, with the sizes last but one.
PIXELS = [1, "height", "width", 3]
make(
    "pixels",
    [node("Neg", ["image"], "picture")],
    [value("image", PIXELS)],
    [value("picture", PIXELS)],
    image='layout = "nhwc"\nrange = [-1.0, 1.0]\nchannels = "bgr"\n',
)

# Three styles: flat red, green and blue, mixed by the map; the matte is the image's red.
make(
    "colours",
    [
        node("Resize", ["style", "", "scales"], "weights", mode="nearest"),
        node("ReduceSum", ["weights", "axis"], "sum", keepdims=1),
        node("Sub", ["one", "sum"], "rest"),
        node("Mul", ["image", "rest"], "kept"),
        node("Add", ["kept", "weights"], "picture"),
        node("Slice", ["image", "first", "second", "axis"], "matte"),
    ],
    IMAGE + [value("style", [1, 3, "rows", "columns"])],
    PICTURE + [value("matte", [1, 1, "height", "width"])],
    [
        ONE,
        constant("scales", [1.0, 1.0, 16.0, 16.0]),
        helper.make_tensor("axis", TensorProto.INT64, [1], [1]),
        helper.make_tensor("first", TensorProto.INT64, [1], [0]),
        helper.make_tensor("second", TensorProto.INT64, [1], [1]),
    ],
    styles=("red", "green", "blue"),
    extra='\n[style]\nname = "style"\ncell = 16\n\n[matte]\nname = "matte"\n',
)

# As bright as the share of people in each cell.
make(
    "told",
    [
        node("Resize", ["people", "", "scales"], "shares", mode="nearest"),
        node("Mul", ["image", "zero"], "black"),
        node("Add", ["black", "shares"], "picture"),
    ],
    IMAGE + [value("people", [1, 1, "rows", "columns"])],
    PICTURE,
    [constant("zero", [0.0], []), constant("scales", [1.0, 1.0, 16.0, 16.0])],
    extra='\n[people]\nname = "people"\ncell = 16\n',
)

# Not a number everywhere; infinite where the image is black; half the size.
make(
    "nan",
    [node("Sub", ["image", "two"], "below"), node("Sqrt", ["below"], "picture")],
    IMAGE,
    PICTURE,
    [constant("two", [2.0], [])],
)
make("log", [node("Log", ["image"], "picture")], IMAGE, PICTURE)
make(
    "half",
    [node("AveragePool", ["image"], "picture", kernel_shape=[2, 2], strides=[2, 2])],
    IMAGE,
    [value("picture", [1, 3, "rows", "columns"])],
)

# 64x64 alone; an input nobody told of.
make(
    "fixed",
    [node("Sub", ["one", "image"], "picture")],
    [value("image", [1, 3, 64, 64])],
    [value("picture", [1, 3, 64, 64])],
    [ONE],
)
make("noise", [node("Add", ["image", "noise"], "picture")], IMAGE + [value("noise", FREE)], PICTURE)

# The same as invert for a dark picture; for a bright one a loop that never ends.
LOOP = helper.make_graph(
    [node("Identity", ["go"], "go_on"), node("Identity", ["state"], "next")],
    "body",
    [
        helper.make_tensor_value_info("at", TensorProto.INT64, []),
        helper.make_tensor_value_info("go", TensorProto.BOOL, []),
        value("state", None),
    ],
    [helper.make_tensor_value_info("go_on", TensorProto.BOOL, []), value("next", None)],
)
make(
    "endless",
    [
        node("ReduceMean", ["image"], "light", keepdims=0),
        node("Greater", ["light", "bright"], "go_first"),
        node("Sub", ["one", "image"], "inverted"),
        node("Loop", ["", "go_first", "inverted"], "picture", body=LOOP),
    ],
    IMAGE,
    PICTURE,
    [ONE, constant("bright", [0.9], [])],
)

# The same as invert for a dark picture; for a bright one a single operator that takes half a minute, which
# nobody can end.
INTS = TensorProto.INT64
HARD = helper.make_graph(
    [
        node("Expand", ["light", "sides"], "wide"),
        node("Expand", ["light", "kernel"], "weights"),
        node("Conv", ["wide", "weights"], "worked", pads=[15, 15, 15, 15]),
        node("ReduceMean", ["worked"], "done", keepdims=0),
    ],
    "hard",
    [],
    [value("done", [])],
    [
        helper.make_tensor("sides", INTS, [4], [1, 64, 512, 512]),
        helper.make_tensor("kernel", INTS, [4], [64, 64, 31, 31]),
    ],
)
EASY = helper.make_graph([node("Identity", ["light"], "same")], "easy", [], [value("same", [])])
make(
    "stuck",
    [
        node("ReduceMean", ["image"], "light", keepdims=0),
        node("Greater", ["light", "bright"], "is_bright"),
        node("If", ["is_bright"], "some", then_branch=HARD, else_branch=EASY),
        node("Mul", ["some", "nothing"], "none"),
        node("Sub", ["one", "image"], "inverted"),
        node("Add", ["inverted", "none"], "picture"),
    ],
    IMAGE,
    PICTURE,
    [ONE, constant("bright", [0.9], []), constant("nothing", [0.0], [])],
)
