// Violations of the call for one order alone: lists where one belongs, and what it forgets of the rules.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;

namespace TppMono
{
    static partial class Faults
    {
        const string Array = "ArrayOfCancellationCreationResult";

        static IEnumerable<Mode> CallForOne()
        {
            yield return New("of-one-json-in-list", "plain", "P17", "the one result comes in a JSON list", "cancel an order by the call for one", b => b.Text = OfOne((call, text) => call.XmlOut ? text : "[" + text + "]"));
            yield return New("of-one-xml-in-list", "plain", "P17", "the one result comes in an XML list", "cancel an order by the call for one, in XML", b => b.Text = OfOne((call, text) => call.XmlOut ? "<" + Array + " xmlns=\"" + Namespaces.Results + "\">" + text + "</" + Array + ">" : text));
            yield return New("of-one-list-taken", "plain", "P17", "the call for one order takes a JSON list", "send a list of one to it", TakesList);
            yield return New("of-one-any-root", "subtle", "P17", "the root of an XML request may have any name", "send another root, as in a list call", b => b.AnyRoot = true);
            yield return New("of-one-none-crashes", "subtle", "P16", "the call for one order gives 500 on a null", "send null to it", b => b.Read = call => { if (call.Single && call.Reading.List == null && call.Reading.Errors.Count == 0) throw new NullReferenceException(); });
            yield return New("of-one-not-cancelled", "plain", "P3", "the call for one order has no effect", "look at the order behind it", b => b.Cancel = t => { if (!t.Call.Single) t.Order.Standing = Standing.Cancelled; });
            yield return New("of-one-again-succeeds", "subtle", "P13", "the call for one order reports a cancelled order cancelled again", "make it twice",
                b => Revive(b, t => t.Call.Single && t.Order.Standing == Standing.Cancelled, true));
            yield return New("of-one-without-pin", "subtle", "P6", "the call for one order asks no PIN", "cancel a PIN order by it with a wrong PIN", b => Or(b, t => t.Call.Single));
            yield return New("of-one-without-creator", "subtle", "P5", "the call for one order asks no CreatorID", "leave CreatorID out of an international instruction", b => Creator(b, t => t.Call.Single));
            yield return New("of-one-without-identity", "plain", "P11", "the one result carries no id", "any request to the call for one", b => b.Judged = t => { if (t.Call.Single) t.Result.OrderID = null; if (t.Call.Single) t.Result.InternationalOrderUID = null; });
            yield return New("of-one-failure-unexplained", "subtle", "P14", "a failed result of the call for one order has no errors", "name an unknown order in it", b => b.Judged = t => { if (t.Call.Single) t.Result.Errors = null; });
        }

        static Func<Call, string, string> OfOne(Func<Call, string, string> change)
        {
            return (call, text) => call.Single ? change(call, text) : text;
        }

        static void TakesList(Behaviour behaviour)
        {
            behaviour.Read = call =>
            {
                if (!call.Single || call.In == null || call.In.Format != Format.Json) return;
                var text = Encoding.UTF8.GetString(call.Request.Body).Trim();
                if (!text.StartsWith("[", StringComparison.Ordinal)) return;
                var reading = Reader.Read(call.Request.Body, Format.Json, Negotiation.Utf8, behaviour, false);
                if (reading.List != null && reading.List.Count == 1) call.Reading = reading;
            };
        }
    }
}
