// A mode: a named change of the behaviour, permitted or a fault.
using System;
using System.Collections.Generic;
using System.Linq;

namespace TppMono
{
    public class Mode
    {
        public string Kind, Name, Description;
        public string Depth, Sentence, See;   // of a fault: plain or subtle, what it breaks, how to see it
        public Action<Behaviour> Apply;

        public static readonly List<Mode> All = Permitted.Modes().Concat(Faults.Modes()).ToList();

        public string Line { get { return Kind + " " + Name + ": " + Description; } }

        public string Row
        {
            get
            {
                return Kind == "permitted"
                    ? string.Format("| `{0}` | permitted | | | {1} |", Name, Description)
                    : string.Format("| `{0}` | fault | {1} | {2} | {3}: {4} |", Name, Depth, Sentence, Description, See);
            }
        }
    }
}
