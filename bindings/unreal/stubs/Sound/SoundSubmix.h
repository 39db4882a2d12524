#pragma once
#include "../Unreal.h"
