// Violations of the page: its rules, and what becomes of the orders. README.md lists the sentences P1 to P16.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;

namespace TppMono
{
    static partial class Faults
    {
        public static IEnumerable<Mode> Modes()
        {
            return Rules().Concat(Outcomes()).Concat(ResultLists()).Concat(JsonShapes()).Concat(XmlShapes()).Concat(Formats()).Concat(Refusals()).Concat(CallForOne());
        }

        static Mode New(string name, string depth, string sentence, string description, string see, Action<Behaviour> apply)
        {
            return new Mode { Kind = "fault", Name = name, Depth = depth, Sentence = sentence, Description = description, See = see, Apply = apply };
        }

        // ---- The rules for ids, creators and PINs ----

        static IEnumerable<Mode> Rules()
        {
            yield return New("wrong-pin-accepted", "plain", "P6", "any PIN will do", "cancel a PIN order with a wrong PIN",
                b => b.PinAccepted = t => t.Order.Pin == null || t.Instruction.PIN != null);
            yield return New("missing-pin-accepted", "plain", "P6", "no PIN will do", "cancel a PIN order without PIN",
                b => Or(b, t => t.Instruction.PIN == null));
            yield return New("right-pin-refused", "plain", "P6", "the right PIN is refused", "cancel a PIN order with its PIN",
                b => b.PinAccepted = t => t.Order.Pin == null || t.Order.Pin != t.Instruction.PIN);
            yield return New("pin-prefix", "subtle", "P6", "a PIN that begins with the right one will do", "send the PIN with a digit added",
                b => Or(b, t => t.Instruction.PIN != null && t.Instruction.PIN.StartsWith(t.Order.Pin, StringComparison.Ordinal)));
            yield return New("pin-first-four", "subtle", "P6", "only the first four characters of the PIN count", "send the PIN with its last digit changed",
                b => Or(b, t => t.Instruction.PIN != null && t.Order.Pin.Length > 4 && t.Instruction.PIN.StartsWith(t.Order.Pin.Substring(0, 4), StringComparison.Ordinal)));
            yield return New("pin-trimmed", "subtle", "P6", "spaces around the PIN are ignored", "send the PIN with a space before or after it",
                b => Or(b, t => t.Instruction.PIN != null && t.Instruction.PIN.Trim() == t.Order.Pin));
            yield return New("pin-last-ignored", "subtle", "P6", "the last character of the PIN does not count", "send the PIN with its last digit changed",
                b => Or(b, t => t.Instruction.PIN != null && t.Instruction.PIN.Length == t.Order.Pin.Length && t.Instruction.PIN.Length > 1
                    && t.Instruction.PIN.Remove(t.Order.Pin.Length - 1) == t.Order.Pin.Remove(t.Order.Pin.Length - 1)));
            yield return New("pin-first-only", "subtle", "P6", "only the first instruction of a list is asked for its PIN", "a list of two PIN orders, the second with a wrong PIN",
                b => Or(b, t => t.Index > 0));
            yield return New("pin-as-number", "subtle", "P6", "the PIN is compared as a number", "send the PIN with a zero before it",
                b => Or(b, t => t.Instruction.PIN != null && t.Instruction.PIN.TrimStart('0') == t.Order.Pin.TrimStart('0')));
            yield return New("pin-case-ignored", "subtle", "P6", "capitals do not matter in a PIN", "start with a --pin that has letters; send it in the other case",
                b => Or(b, t => t.Order.Pin.Equals(t.Instruction.PIN, StringComparison.OrdinalIgnoreCase)));
            yield return New("empty-pin-accepted", "subtle", "P6", "an empty PIN will do", "cancel a PIN order with PIN \"\"",
                b => Or(b, t => t.Instruction.PIN == ""));
            yield return New("pin-of-list", "subtle", "P6", "a right PIN in one instruction serves the later ones of the list", "a list of two PIN orders, the second without PIN",
                b => Or(b, t => t.Call.Turns.Take(t.Index).Any(other => other.Instruction != null && other.Instruction.PIN == t.Order.Pin)));
            yield return New("pin-remembered", "subtle", "P6", "a creator who has given the right PIN is not asked again", "cancel with PIN, then another order of the same creator without", PinRemembered);
            yield return New("pin-third-try", "subtle", "P6", "the third instruction for a PIN order passes with any PIN", "try a wrong PIN three times on one order",
                b => Or(b, t => t.Order.Attempts >= 3));
            yield return New("pin-not-asked-in-xml", "subtle", "P6", "XML requests need no PIN", "cancel a PIN order by XML without PIN",
                b => Or(b, t => t.Call.XmlIn && t.Instruction.PIN == null));
            yield return New("pin-not-asked-international", "subtle", "P6", "international orders need no PIN", "cancel an international PIN order with a wrong PIN",
                b => Or(b, t => t.International));

            yield return New("creator-not-required", "plain", "P5", "an international order is cancelled without CreatorID", "leave CreatorID out", b => b.CreatorGiven = t => true);
            yield return New("creator-first-only", "subtle", "P5", "only the first instruction needs its CreatorID", "a list of two international orders, the second without CreatorID",
                b => Creator(b, t => t.Index > 0));
            yield return New("creator-inherited", "subtle", "P5", "an instruction without CreatorID takes that of the one before", "a list of two international orders, the second without CreatorID",
                b => Creator(b, t => t.Index > 0 && t.Call.Turns[t.Index - 1].Instruction?.CreatorID != null));
            yield return New("creator-not-required-in-xml", "subtle", "P5", "XML requests need no CreatorID", "leave CreatorID out of an XML request", b => Creator(b, t => t.Call.XmlIn));
            yield return New("creator-nil-accepted", "subtle", "P5", "a CreatorID that is written as null counts as given", "send \"CreatorID\": null for an international order",
                b => Creator(b, t => Encoding.UTF8.GetString(t.Call.Request.Body).Replace(" ", "").Contains("\"CreatorID\":null")));
            yield return New("creator-always-required", "plain", "P5", "a domestic order needs CreatorID, too", "cancel a domestic order without CreatorID",
                b => b.CreatorGiven = t => t.Instruction.CreatorID.HasValue);

            yield return New("order-id-not-required", "plain", "P4", "a domestic instruction without OrderID succeeds", "send an instruction without OrderID",
                b => Nobody(b, t => !t.International && t.Instruction.OrderID == null));
            yield return New("order-id-always-required", "plain", "P4", "an international instruction needs OrderID, too", "cancel an international order",
                b => b.IdGiven = t => t.Instruction.OrderID.HasValue && (!t.International || t.Instruction.InternationalOrderUID.HasValue));
            yield return New("uid-not-required", "plain", "P8", "an international instruction without InternationalOrderUID succeeds", "leave it out",
                b => Nobody(b, t => t.International && t.Instruction.InternationalOrderUID == null));
            yield return New("uid-falls-back-to-order-id", "subtle", "P8", "an international instruction without InternationalOrderUID cancels the domestic order of its OrderID", "send flag true and OrderID alone",
                b => Fallback(b));
            yield return New("uid-inherited", "subtle", "P8", "an international instruction without InternationalOrderUID repeats the success of the one before", "a list of two, the second without its GUID",
                b => Nobody(b, t => t.International && t.Instruction.InternationalOrderUID == null && t.Index > 0));
            yield return New("flag-ignored", "plain", "P7", "the ids alone decide whether an order is international", "send flag false with both ids, or with InternationalOrderUID alone",
                b => b.International = t => t.Instruction.InternationalOrderUID.HasValue);
            yield return New("flag-loses-to-order-id", "subtle", "P7", "if both ids are given, the domestic order is cancelled", "send flag true with both ids",
                b => b.International = t => t.Instruction.IsInternationalOrder && t.Instruction.OrderID == null);
            yield return New("flag-sticky", "subtle", "P7", "after an international instruction all of the list count as international if they have a UID", "mixed list: flag true, then flag false with both ids",
                b => b.International = t => t.Instruction.IsInternationalOrder
                    || t.Instruction.InternationalOrderUID.HasValue && t.Call.Turns.Take(t.Index).Any(x => x.International));
        }

        static void Or(Behaviour behaviour, Func<Turn, bool> also)
        {
            var rule = behaviour.PinAccepted;
            behaviour.PinAccepted = turn => rule(turn) || also(turn);
        }

        static void Creator(Behaviour behaviour, Func<Turn, bool> unless)
        {
            var rule = behaviour.CreatorGiven;
            behaviour.CreatorGiven = turn => rule(turn) || unless(turn);
        }

        static void PinRemembered(Behaviour behaviour)
        {
            var known = new HashSet<long>();
            Or(behaviour, turn => turn.Instruction.CreatorID.HasValue && turn.Instruction.PIN == null && known.Contains(turn.Instruction.CreatorID.Value));
            behaviour.Judged = turn =>
            {
                if (turn.Result.Success && turn.Order.Pin != null && turn.Instruction.CreatorID.HasValue) known.Add(turn.Instruction.CreatorID.Value);
            };
        }

        // An order that stands for none, so that an instruction without id can succeed.
        static void Nobody(Behaviour behaviour, Func<Turn, bool> when)
        {
            var given = behaviour.IdGiven;
            var find = behaviour.Find;
            behaviour.IdGiven = turn => when(turn) || given(turn);
            behaviour.Find = turn => when(turn) ? new Order() : find(turn);
        }

        static void Fallback(Behaviour behaviour)
        {
            behaviour.IdGiven = turn => turn.International ? turn.Instruction.InternationalOrderUID.HasValue || turn.Instruction.OrderID.HasValue : turn.Instruction.OrderID.HasValue;
            behaviour.Find = turn => turn.International && turn.Instruction.InternationalOrderUID.HasValue
                ? turn.Call.World.Find(turn.Instruction.InternationalOrderUID) : turn.Call.World.Find(turn.Instruction.OrderID);
        }

        // ---- What becomes of the orders ----

        static IEnumerable<Mode> Outcomes()
        {
            yield return New("always-success", "plain", "P13", "every result is a success", "name an unknown order", b => b.Judged = Succeed);
            yield return New("nothing-cancelled", "plain", "P3", "success is reported and nothing is cancelled", "look at the order afterwards", b => b.Cancel = t => { });
            yield return New("never-cancels", "plain", "P3", "every instruction fails", "cancel an open order", b => b.Active = t => false);
            yield return New("executed-cancelled", "plain", "P13", "an executed order is reported cancelled", "cancel an executed order",
                b => Revive(b, t => t.Order.Standing == Standing.Executed, false));
            yield return New("cancelled-again", "plain", "P13", "a cancelled order is reported cancelled again", "cancel an order twice",
                b => Revive(b, t => t.Order.Standing == Standing.Cancelled, true));
            yield return New("unknown-succeeds", "plain", "P13", "an unknown order is reported cancelled", "name an unknown OrderID",
                b => b.Find = Else(b.Find, t => new Order()));
            yield return New("retry-succeeds", "subtle", "P13", "an inactive order is refused once, then reported cancelled", "cancel an executed order twice",
                b => Revive(b, t => t.Order.Attempts > 1, true));
            yield return New("duplicate-succeeds", "subtle", "P13", "an order that a list names twice succeeds twice", "name one order twice in a list",
                b => Revive(b, t => t.Call.Turns.Take(t.Index).Any(other => other.Order == t.Order), true));
            yield return New("failed-but-cancelled", "subtle", "P13", "a wrong PIN is reported as failure, and the order is cancelled", "look at the order after a wrong PIN", b => b.Judged = CancelAnyway);
            yield return New("both-ids-both-cancelled", "subtle", "P7", "if an instruction has both ids, both orders are cancelled", "send both ids and look at both orders", b => b.Judged = CancelBoth);
            yield return New("executed-cancelled-in-xml", "subtle", "P13", "in XML an executed order is reported cancelled", "cancel an executed order by text/xml",
                b => Revive(b, t => t.Call.XmlIn && t.Order.Standing == Standing.Executed, false));
            yield return New("text-json-not-cancelled", "subtle", "P3", "text/json requests have no effect", "look at the order after text/json",
                b => b.Cancel = t => { if (t.Call.In != MediaType.All[1]) t.Order.Standing = Standing.Cancelled; });
            yield return New("active-for-a-moment", "subtle", "P13", "for 30 ms a cancelled order can be cancelled again", "send two requests for one order at the same time", b =>
            {
                b.Cancel = t => { t.Order.Standing = Standing.Cancelled; t.Order.ShowsFrom = DateTime.UtcNow.AddMilliseconds(30); };
                b.Active = t => t.Order.Seen(DateTime.UtcNow) == Standing.Open;
            });
            yield return New("utf16-not-cancelled", "subtle", "P3", "requests in UTF-16 have no effect", "look at the order after a request in UTF-16",
                b => b.Cancel = t => { if (Negotiation.OfRequest(t.Call.Request) == Negotiation.Utf8) t.Order.Standing = Standing.Cancelled; });
            yield return New("every-fifth-not-cancelled", "subtle", "P3", "every fifth success has no effect", "look at the orders of several requests", EveryFifth);
            yield return New("last-of-list-not-cancelled", "subtle", "P3", "the last of four or more instructions has no effect", "look at the orders after a list of four",
                b => b.Cancel = t => { if (t.Index < 3 || t.Index + 1 < t.Call.Turns.Count) t.Order.Standing = Standing.Cancelled; });
            yield return New("neighbour-cancelled", "subtle", "P4", "with two or more instructions, the order after the last one is cancelled as well", "look at an order made just after those of the list", Neighbour);
            yield return New("international-not-cancelled-in-mixed-list", "subtle", "P3", "beside a domestic order an international one is only reported cancelled", "look at both orders after a mixed list",
                b => b.Cancel = t => { if (!t.International || t.Call.Turns.All(x => x.Instruction == null || x.Instruction.IsInternationalOrder)) t.Order.Standing = Standing.Cancelled; });
            yield return New("effect-after-five-seconds", "subtle", "P13", "a cancellation shows five seconds after its answer", "look at the order within the time to settle",
                b => b.Cancel = t => { t.Order.Standing = Standing.Cancelled; t.Order.ShowsFrom = DateTime.UtcNow.AddSeconds(5); });
            yield return New("reopens", "subtle", "P13", "a cancelled order is open again a second later", "wait, then look at the order or cancel it again",
                b => b.Cancel = t => { t.Order.Standing = Standing.Cancelled; t.Order.ReopensAt = DateTime.UtcNow.AddSeconds(1); });
            yield return New("fractions-rounded", "subtle", "P4", "an OrderID with a fraction is rounded and cancels that order", "send the OrderID less 0.4", b => b.RoundFractions = true);
            yield return New("ids-wrap", "subtle", "P4", "an OrderID beyond 32 bits loses its upper half and cancels another order", "send the OrderID plus 2 to the 32nd", Wrap);
            yield return New("negative-ids", "subtle", "P4", "the sign of an OrderID is ignored", "send the OrderID with a minus", b => b.Find = Else(b.Find, t => t.International || !t.Instruction.OrderID.HasValue ? null : t.Call.World.Find(-t.Instruction.OrderID)));
            yield return New("uid-case-matters", "subtle", "P8", "a GUID in upper case is not found", "send the GUID in upper case", b => b.Find = Unless(b.Find, UpperCased));
            yield return New("order-fails-over-keep-alive", "subtle", "P3", "the fourth and later requests of a connection fail", "send four good requests over one connection",
                b => b.Active = t => t.Call.Request.OnConnection < 4 && t.Order.Now(DateTime.UtcNow) == Standing.Open);
        }

        static Func<Turn, Order> Else(Func<Turn, Order> find, Func<Turn, Order> other)
        {
            return turn => find(turn) ?? other(turn);
        }

        static Func<Turn, Order> Unless(Func<Turn, Order> find, Func<Turn, bool> when)
        {
            return turn => when(turn) ? null : find(turn);
        }

        static bool UpperCased(Turn turn)
        {
            var uid = turn.Instruction.InternationalOrderUID;
            return turn.International && uid.HasValue && Encoding.UTF8.GetString(turn.Call.Request.Body).Contains(uid.Value.ToString().ToUpperInvariant());
        }

        // Take an inactive order for active; the report alone, or the deed as well.
        static void Revive(Behaviour behaviour, Func<Turn, bool> when, bool reportOnly)
        {
            var rule = behaviour.Active;
            behaviour.Active = turn => rule(turn) || when(turn);
            if (reportOnly) behaviour.Cancel = turn => { if (turn.Order.Standing == Standing.Open) turn.Order.Standing = Standing.Cancelled; };
        }

        static void Succeed(Turn turn)
        {
            turn.Result.Success = true;
            turn.Result.Errors = null;
        }

        static void CancelAnyway(Turn turn)
        {
            if (turn.Order != null && turn.Order.Standing == Standing.Open) turn.Order.Standing = Standing.Cancelled;
        }

        static void CancelBoth(Turn turn)
        {
            if (!turn.Result.Success) return;
            var other = turn.International ? turn.Call.World.Find(turn.Instruction.OrderID) : turn.Call.World.Find(turn.Instruction.InternationalOrderUID);
            if (other != null && other.Standing == Standing.Open) other.Standing = Standing.Cancelled;
        }

        static void EveryFifth(Behaviour behaviour)
        {
            int count = 0;
            behaviour.Cancel = turn => { if (++count % 5 != 0) turn.Order.Standing = Standing.Cancelled; };
        }

        static void Neighbour(Behaviour behaviour)
        {
            behaviour.AllJudged = call =>
            {
                var last = call.Turns.LastOrDefault(t => t.Result.Success && !t.International);
                var next = last == null || call.Turns.Count < 2 ? null : call.World.Find(last.Instruction.OrderID + 1);
                if (next != null && next.Standing == Standing.Open) next.Standing = Standing.Cancelled;
            };
        }

        static void Wrap(Behaviour behaviour)
        {
            behaviour.WrapIds = true;
            behaviour.Read = call => EachId(call, id => unchecked((int)id));
        }

        static void EachId(Call call, Func<long, long> change)
        {
            if (call.Reading.List == null) return;
            foreach (var item in call.Reading.List)
                if (item != null && item.OrderID.HasValue) item.OrderID = change(item.OrderID.Value);
        }
    }
}
