#pragma once

#include "CoreMinimal.h"

/** Everything MuseTalk says: this plugin, the library, and ONNX Runtime. */
DECLARE_LOG_CATEGORY_EXTERN(LogMuseTalk, Log, All);
