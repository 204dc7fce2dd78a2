/* What module.c and calls.c share. The stable ABI of Python 3.11: one build for that and all later ones. */
#ifndef S3TORRENT_MODULE_H
#define S3TORRENT_MODULE_H

#ifndef Py_LIMITED_API
#define Py_LIMITED_API 0x030B0000
#endif
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "pass.h"

/* What hashes, for the whole process; read and written with the GIL held. */
struct chosen {
    bool made;
    struct choice sha1, sha256;
};
extern struct chosen chosen;

/* Choose among all kernels, where nothing is chosen yet: half a millisecond. */
void ensure_chosen(void);

PyObject *call_pieces(PyObject *module, PyObject *arguments);
PyObject *call_leaves(PyObject *module, PyObject *arguments);
PyObject *call_hybrid(PyObject *module, PyObject *arguments);
PyObject *call_pairs(PyObject *module, PyObject *arguments);
PyObject *call_file_pieces(PyObject *module, PyObject *arguments);
PyObject *call_file_leaves(PyObject *module, PyObject *arguments);
PyObject *call_file_hybrid(PyObject *module, PyObject *arguments);

PyObject *call_leaves_of_files(PyObject *module, PyObject *arguments);
PyObject *call_update_many(PyObject *module, PyObject *arguments);

/* Put the type Sha1 into the module; -1 with the error set. */
int add_sha1_type(PyObject *module);

#endif
