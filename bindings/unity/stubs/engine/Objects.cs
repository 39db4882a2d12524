// The least of UnityEngine that the packages compile against and their tests run on: own code, with Unity's names. What it does is what Unity's
// documentation says, and no more than the tests need. Never shipped.
using System;
using System.Collections.Generic;

namespace UnityEngine
{
    [Flags]
    public enum HideFlags { None = 0, HideAndDontSave = 61 }

    public class Object
    {
        public static int Alive;
        private bool _destroyed;

        public Object() { Alive++; }

        public string name { get; set; }
        public HideFlags hideFlags { get; set; }

        public static void Destroy(Object gone)
        {
            if (ReferenceEquals(gone, null) || gone._destroyed) return;
            gone._destroyed = true;
            gone.OnDestroyed();
            Alive--;
        }

        protected virtual void OnDestroyed() { }

        public static bool operator ==(Object one, Object other)
        {
            var a = ReferenceEquals(one, null) || one._destroyed;
            var b = ReferenceEquals(other, null) || other._destroyed;
            return a || b ? a && b : ReferenceEquals(one, other);
        }

        public static bool operator !=(Object one, Object other) { return !(one == other); }
        public override bool Equals(object other) { return ReferenceEquals(this, other); }
        public override int GetHashCode() { return base.GetHashCode(); }
    }

    public class GameObject : Object
    {
        private readonly List<Component> _components = new List<Component>();

        public T AddComponent<T>() where T : Component, new()
        {
            var component = new T { gameObject = this };
            _components.Add(component);
            return component;
        }

        public T GetComponent<T>() where T : Component
        {
            foreach (var component in _components) if (component is T) return (T)component;
            return null;
        }
    }

    public class Component : Object
    {
        public GameObject gameObject { get; internal set; }
        public T GetComponent<T>() where T : Component { return gameObject.GetComponent<T>(); }
    }

    public class Behaviour : Component
    {
        public bool enabled { get; set; } = true;
    }

    public class MonoBehaviour : Behaviour { }

    /// Unity's animation asset: here so that the clash of names with MuseTalk.Avatar is compiled.
    public class Avatar : Object { }

    public static class Application
    {
        public static string streamingAssetsPath = "/nowhere";
    }

    public static class Debug
    {
        public static Exception LastException;
        public static void LogException(Exception exception, Object context) { LastException = exception; }
        public static string LastWarning;
        public static void LogWarning(object message) { LastWarning = message.ToString(); }
        public static void LogWarning(object message, Object context) { LastWarning = message.ToString(); }
        public static void LogError(object message) { }
        public static void Log(object message) { }
    }

    public static class Time
    {
        public static double unscaledTimeAsDouble { get; set; }
    }

    public static class Input
    {
        public static bool GetKeyDown(KeyCode key) { return false; }
    }

    public enum KeyCode { Space = 32, Escape = 27 }

    [AttributeUsage(AttributeTargets.Class)]
    public sealed class RequireComponent : Attribute { public RequireComponent(Type type) { } }

    [AttributeUsage(AttributeTargets.Class)]
    public sealed class AddComponentMenu : Attribute { public AddComponentMenu(string menu) { } }

    [AttributeUsage(AttributeTargets.Field)]
    public sealed class SerializeField : Attribute { }

    [AttributeUsage(AttributeTargets.Field)]
    public sealed class TooltipAttribute : Attribute { public TooltipAttribute(string text) { } }

    [AttributeUsage(AttributeTargets.Field)]
    public sealed class RangeAttribute : Attribute { public RangeAttribute(float least, float most) { } }

    [AttributeUsage(AttributeTargets.Field)]
    public sealed class TextAreaAttribute : Attribute { public TextAreaAttribute(int least, int most) { } }

    namespace Events
    {
        public class UnityEvent
        {
            private Action _listeners = delegate { };
            public void AddListener(Action listener) { _listeners += listener; }
            public void RemoveListener(Action listener) { _listeners -= listener; }
            public void Invoke() { _listeners(); }
        }

        public class UnityEvent<T>
        {
            private Action<T> _listeners = delegate { };
            public void AddListener(Action<T> listener) { _listeners += listener; }
            public void Invoke(T argument) { _listeners(argument); }
        }
    }

    namespace Profiling
    {
        public sealed class CustomSampler
        {
            public static CustomSampler Create(string name) { return new CustomSampler(); }
            public void Begin() { }
            public void End() { }
        }
    }
}
