#include "MuseTalkSettings.h"

FName UMuseTalkSettings::GetCategoryName() const
{
    return TEXT("Plugins");
}
