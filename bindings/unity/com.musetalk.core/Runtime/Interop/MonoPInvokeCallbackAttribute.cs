using System;

namespace MuseTalk.Interop
{
    /// Tells IL2CPP, which knows it by its name alone, that native code calls this method. Unity's own would be a reference to the engine.
    [AttributeUsage(AttributeTargets.Method)]
    internal sealed class MonoPInvokeCallbackAttribute : Attribute
    {
        internal Type DelegateType { get; }

        internal MonoPInvokeCallbackAttribute(Type delegateType)
        {
            DelegateType = delegateType;
        }
    }
}
