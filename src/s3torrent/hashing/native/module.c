/* The Python module s3torrent.hashing._kernel: kernels(), use(), in_use() here, the hashing in calls.c. */
#include "module.h"

#include <string.h>

struct chosen chosen;

/* Families in the order in which they are offered, each once. */
static bool is_first(const struct algorithm *algorithm, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (!strcmp(algorithm->kernels[i].family, algorithm->kernels[index].family)) return false;
    return true;
}

static bool usable(const struct algorithm *algorithm, const char *family)
{
    for (size_t i = 0; i < algorithm->kernel_count; i++)
        if (!strcmp(algorithm->kernels[i].family, family) && algorithm->kernels[i].usable()) return true;
    return false;
}

static PyObject *kernels(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    PyObject *names = PyList_New(0);
    for (size_t i = 0; names && i < sha1.kernel_count; i++) {
        const char *family = sha1.kernels[i].family;
        if (!is_first(&sha1, i) || !usable(&sha1, family) || !usable(&sha256, family)) continue;
        PyObject *name = PyUnicode_FromString(family);
        if (!name || PyList_Append(names, name)) Py_CLEAR(names);
        Py_XDECREF(name);
    }
    return names;
}

/* NULL: of all families. False where the family cannot be used; then what was chosen before stays. */
static bool choose_both(const char *family)
{
    struct chosen fresh;
    if (!choose(&fresh.sha1, &sha1, family) || !choose(&fresh.sha256, &sha256, family)) return false;
    fresh.made = true;
    chosen = fresh;
    return true;
}

void ensure_chosen(void)
{
    if (!chosen.made) choose_both(NULL);
}

static PyObject *use(PyObject *module, PyObject *arguments)
{
    (void)module;
    const char *family;
    if (!PyArg_ParseTuple(arguments, "s:use", &family)) return NULL;
    if (choose_both(strcmp(family, "auto") ? family : NULL)) Py_RETURN_NONE;
    return PyErr_Format(PyExc_ValueError, "kernel '%.100s' is unknown, or not usable on this CPU", family);
}

static PyObject *label(const struct choice *choice)
{
    const struct kernel *kernel = choice->kernel[choice->best];
    return PyUnicode_FromFormat("%s x%u", kernel->family, kernel->lanes);
}

static PyObject *in_use(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    ensure_chosen();
    PyObject *one = label(&chosen.sha1), *two = label(&chosen.sha256), *both = NULL;
    if (one && two) both = PyTuple_Pack(2, one, two);
    Py_XDECREF(one);
    Py_XDECREF(two);
    return both;
}

static PyObject *width(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    ensure_chosen();
    return PyLong_FromLong((long)chosen.sha1.kernel[chosen.sha1.best]->lanes);
}

static PyMethodDef METHODS[] = {
    {"kernels", kernels, METH_NOARGS, "Names of the kernels this CPU can run."},
    {"use", use, METH_VARARGS, "Use one kernel by name, or auto. ValueError where it is unknown or not usable here."},
    {"in_use", in_use, METH_NOARGS, "What hashes (SHA-1, SHA-256): kernel and number of lanes."},
    {"width", width, METH_NOARGS, "How many SHA-1 streams are carried on at once at best."},
    {"pieces", call_pieces, METH_VARARGS, "pieces(data, piece_length): SHA-1, 20 bytes a piece."},
    {"leaves", call_leaves, METH_VARARGS, "leaves(data): SHA-256, 32 bytes a 16 KiB leaf."},
    {"hybrid", call_hybrid, METH_VARARGS, "hybrid(data, piece_length): (pieces, leaves) in one pass."},
    {"pairs", call_pairs, METH_VARARGS, "pairs(hashes): SHA-256 of each 64 bytes, one Merkle level up."},
    {"file_pieces", call_file_pieces, METH_VARARGS, "file_pieces(fd, start, end, piece_length)"},
    {"file_leaves", call_file_leaves, METH_VARARGS, "file_leaves(fd, start, end)"},
    {"file_hybrid", call_file_hybrid, METH_VARARGS, "file_hybrid(fd, start, end, piece_length)"},
    {"leaves_of_files", call_leaves_of_files, METH_VARARGS, "leaves_of_files(data, lengths): each file its own."},
    {"update_many", call_update_many, METH_VARARGS, "update_many(states, buffers): states[i].update(buffers[i])."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef MODULE = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_kernel",
    .m_doc = "SHA-1 and SHA-256 of many pieces and leaves at once.",
    .m_size = -1,
    .m_methods = METHODS,
};

PyMODINIT_FUNC PyInit__kernel(void)
{
    PyObject *module = PyModule_Create(&MODULE);
    if (module && add_sha1_type(module)) Py_CLEAR(module);
    return module;
}
