/* SPDX-License-Identifier: Apache-2.0
 *
 * Files of networks that are not Keras's, told by their bytes where these say it, else by their names. */
#include "io/checkpoint_internal.h"
#include <string.h>

#define TO_KERAS "Build that network in Keras, give it the weights, and take what model.save(\"net.keras\") writes"

typedef struct Foreign {
    const char *ending; /* of the name */
    const char *bytes;  /* that the file has at `at`, or NULL */
    size_t at;
    const char *what, *way_out;
} Foreign;

static const Foreign foreign[] = {
    {".onnx", NULL, 0, "an ONNX network",
     "Convert it to Keras (onnx2tf does, for example) and take the .keras or .h5 file"},
    {".tflite", "TFL3", 4, "a TensorFlow Lite network, which cannot be trained",
     "Take the Keras file that it was made from"},
    {".pb", NULL, 0, "a graph of TensorFlow",
     "In Python, load the folder in which it lies with tf_keras.models.load_model and take what model.save(\"net.h5\") "
     "writes"},
    {".safetensors", NULL, 0, "a file of weights of another library, most often PyTorch", TO_KERAS},
    {".pth", "\x80\x02", 0, "a file of PyTorch", TO_KERAS},
    {".pt", NULL, 0, "a file of PyTorch", TO_KERAS},
    {".ckpt", NULL, 0, "a checkpoint of TensorFlow or PyTorch", TO_KERAS},
    {".index", NULL, 0, "a checkpoint of TensorFlow",
     "Load it into its model in Keras, and take what model.save(\"net.keras\") writes"},
    {".npz", NULL, 0, "a file of NumPy arrays", TO_KERAS},
};

static bool ends_in(const char *path, const char *ending) {
    size_t length = strlen(path), n = strlen(ending);
    return length >= n && strcmp(path + length - n, ending) == 0;
}

Status checkpoint__refuse_foreign(const char *path, const unsigned char *bytes, size_t size) {
    static const char hdf5[] = "\x89HDF\r\n";
    const Foreign *found = NULL;
    if (size >= sizeof hdf5 && memcmp(bytes, hdf5, sizeof hdf5 - 1) == 0)
        return STATUS_OK; /* under any name */
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign && found == NULL; i++) {
        const Foreign *row = &foreign[i];
        size_t length = row->bytes ? strlen(row->bytes) : 0;
        if (ends_in(path, row->ending) ||
            (length > 0 && size >= row->at + length && memcmp(bytes + row->at, row->bytes, length) == 0))
            found = row;
    }
    return found ? status_fail(STATUS_FAILED, "%s is %s. %s.", path, found->what, found->way_out) : STATUS_OK;
}
