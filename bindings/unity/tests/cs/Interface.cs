using System;
using System.Collections.Generic;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;

namespace MuseTalk.Tests
{
    internal static class Interface
    {
        private static readonly Assembly Core = typeof(Engine).Assembly;

        /// Says what this assembly believes of the header, for a C compiler to agree with: lines "struct NAME SIZE", "field STRUCT NAME OFFSET",
        /// "enum NAME VALUE NUMBER", "function NAME".
        internal static void Describe(string[] arguments)
        {
            foreach (var type in Core.GetTypes())
            {
                if (type.Namespace == "MuseTalk.Interop" && type.IsValueType && !type.IsNested) Struct(type);
                if (type.Namespace == "MuseTalk" && type.IsEnum) Enumeration(type);
            }
            var methods = Core.GetType("MuseTalk.Interop.NativeMethods");
            foreach (var method in methods.GetMethods(BindingFlags.Static | BindingFlags.NonPublic))
            {
                if ((method.Attributes & MethodAttributes.PinvokeImpl) != 0) Console.WriteLine("function " + method.Name);
            }
        }

        private static void Struct(Type type)
        {
            var name = Snake(type.Name.Substring("Native".Length));
            Console.WriteLine("struct " + name + " " + Marshal.SizeOf(type));
            foreach (var field in type.GetFields(BindingFlags.Instance | BindingFlags.Public))
                Console.WriteLine("field " + name + " " + Snake(field.Name) + " " + Marshal.OffsetOf(type, field.Name));
        }

        private static void Enumeration(Type type)
        {
            Check.Equal(typeof(uint), Enum.GetUnderlyingType(type), type.Name);
            foreach (var value in Enum.GetValues(type)) Console.WriteLine("enum " + Snake(type.Name) + " " + Snake(value.ToString()) + " " + (uint)value);
        }

        private static string Snake(string name)
        {
            var snake = new StringBuilder();
            for (var at = 0; at < name.Length; at++)
            {
                if (at > 0 && char.IsUpper(name[at])) snake.Append('_');
                snake.Append(char.ToLowerInvariant(name[at]));
            }
            return snake.ToString();
        }

        internal static void EveryFailureHasItsClass(string[] arguments)
        {
            var of = typeof(MuseTalkException).GetMethod("Of", BindingFlags.Static | BindingFlags.NonPublic);
            var classes = new HashSet<Type>();
            foreach (Status status in Enum.GetValues(typeof(Status)))
            {
                var failure = (MuseTalkException)of.Invoke(null, new object[] { status, "why" });
                Check.Equal(status, failure.Status, "the status of " + failure.GetType().Name);
                Check.Equal("why", failure.Message, "the message");
                if ((uint)status < 16) Check.Equal(typeof(MuseTalkException), failure.GetType(), status + " is no failure");
                else Check.That(failure.GetType() != typeof(MuseTalkException) && classes.Add(failure.GetType()), status + " has a class of its own");
            }
            foreach (var type in Core.GetTypes())
                Check.That(!type.IsSubclassOf(typeof(MuseTalkException)) || classes.Contains(type), type.Name + " stands in the table");
            var later = (MuseTalkException)of.Invoke(null, new object[] { (Status)77, "why" });
            Check.Equal((Status)77, later.Status, "a status of a later release");
        }
    }
}
