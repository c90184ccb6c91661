// The command line: tpp_mono.exe [--port N] [--hook-port N] [--pin PIN] [--mode NAME]... | --list-modes | --modes-table
using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;

namespace TppMono
{
    static class Program
    {
        const string Usage = "usage: tpp_mono.exe [--port N] [--hook-port N] [--pin PIN] [--mode NAME]... | --list-modes | --modes-table";

        static int Main(string[] arguments)
        {
            if (arguments.Contains("--list-modes")) return List(mode => mode.Line);
            if (arguments.Contains("--modes-table")) return List(mode => mode.Row);
            int port = 0, hookPort = 0;
            string pin = "739218";
            var modes = new List<Mode>();
            for (int i = 0; i < arguments.Length; i += 2)
            {
                if (i + 1 == arguments.Length) return Fail(Usage);
                var value = arguments[i + 1];
                bool good = true;
                switch (arguments[i])
                {
                    case "--port": good = int.TryParse(value, out port); break;
                    case "--hook-port": good = int.TryParse(value, out hookPort); break;
                    case "--pin": pin = value; break;
                    case "--mode":
                        var mode = Mode.All.FirstOrDefault(m => m.Name == value);
                        if (mode == null) return Fail("no mode " + value + "; --list-modes names them");
                        modes.Add(mode);
                        break;
                    default: good = false; break;
                }
                if (!good) return Fail(Usage);
            }
            return Run(port, hookPort, pin, modes);
        }

        static int Run(int port, int hookPort, string pin, List<Mode> modes)
        {
            var behaviour = new Behaviour();
            foreach (var mode in modes) mode.Apply(behaviour);
            var world = new World(pin) { PinPolicy = behaviour.PinPolicy };
            world.AddSamples();
            var service = new HttpServer(port, new Service(world, behaviour).Handle);
            var hook = new HttpServer(hookPort, new Hook(world).Handle);
            service.Start();
            hook.Start();
            Console.WriteLine("listening on http://127.0.0.1:" + service.Port);
            Console.WriteLine("state hook on http://127.0.0.1:" + hook.Port + "/orders");
            Console.Out.Flush();
            Thread.Sleep(Timeout.Infinite);
            return 0;
        }

        static int List(Func<Mode, string> form)
        {
            foreach (var mode in Mode.All) Console.WriteLine(form(mode));
            return 0;
        }

        static int Fail(string message)
        {
            Console.Error.WriteLine(message);
            return 2;
        }
    }
}
